//go:build !race

package flyball_test

const racing = false
