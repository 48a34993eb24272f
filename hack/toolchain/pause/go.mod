module postgrest-operator/hack/toolchain/pause

go 1.24.0
