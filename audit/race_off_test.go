//go:build !race

package audit_test

const racing = false
