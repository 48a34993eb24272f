// Package ext stands in for a module of Traefik's that the proxy does not offer: extension points of its
// configuration that are empty in the open version.
package ext

// HTTP extends the dynamic HTTP configuration by nothing.
type HTTP struct{}

// Router extends a router by nothing.
type Router struct{}
