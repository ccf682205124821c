// Package cachetest holds what every [cache.Store] must do, as tests, and
// stores that do it wrong, to test what stands above one.
package cachetest
