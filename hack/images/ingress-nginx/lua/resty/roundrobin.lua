-- Stands in for lua-resty-balancer's module of this name: hands out nodes in turn, each as often as its weight says.
local _M = {}
local meta = { __index = _M }

function _M.new(_, nodes)
  local self = setmetatable({}, meta)
  self:reinit(nodes)
  return self
end

function _M.reinit(self, nodes)
  local turns = {}
  for id, weight in pairs(nodes) do
    for _ = 1, weight do
      turns[#turns + 1] = id
    end
  end
  self.nodes = nodes
  self.turns = turns
  -- Workers start at different places, so that they do not all send their first request to the same node.
  self.last = #turns > 0 and math.random(#turns) or 0
end

function _M.find(self)
  local count = #self.turns
  if count == 0 then
    return nil
  end
  self.last = self.last % count + 1
  return self.turns[self.last]
end

return _M
