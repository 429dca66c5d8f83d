//go:build !linux

// Command supervisor is a Kubernetes node for tests, which needs Linux.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "node: requires Linux")
	os.Exit(1)
}
