-- Stands in for lua-resty-lock: a lock in a shared dictionary, which expires. The only caller never waits for it.
local _M = {}
local meta = { __index = _M }

function _M.new(_, dictionary, options)
  local store = ngx.shared[dictionary]
  if not store then
    return nil, "dictionary not found"
  end
  return setmetatable({ store = store, expiry = (options or {}).exptime or 30 }, meta)
end

function _M.lock(self, key)
  local added, problem = self.store:add(key, true, self.expiry)
  if not added then
    return nil, problem == "exists" and "timeout" or problem
  end
  self.key = key
  return 0
end

function _M.unlock(self)
  if not self.key then
    return nil, "unlocked"
  end
  self.store:delete(self.key)
  self.key = nil
  return 1
end

return _M
