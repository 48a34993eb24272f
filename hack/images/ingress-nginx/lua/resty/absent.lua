-- What the controller loads at its start but this image does not have: affinity, consistent hashing, OCSP stapling,
-- global rate limits and services of type ExternalName. Loading works; use says what is missing.
return function(name)
  return setmetatable({}, {
    __index = function(_, member)
      return function()
        error(name .. "." .. member .. " is not part of the local cluster's ingress-nginx")
      end
    end,
  })
end
