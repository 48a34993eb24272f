module postgrest-operator/hack/toolchain/gateway-api

go 1.24.0

// Only its CustomResourceDefinitions are used; the version is the one that Traefik is built against.
require sigs.k8s.io/gateway-api v1.5.1
