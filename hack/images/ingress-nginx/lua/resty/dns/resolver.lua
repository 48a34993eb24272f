local resolver = require("resty.absent")("resty.dns.resolver")
-- The numbers of these record types, which are read at load time.
resolver.TYPE_A = 1
resolver.TYPE_AAAA = 28
return resolver
