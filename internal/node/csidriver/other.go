//go:build !linux

// Command csidriver mounts volumes, which needs Linux.
package main

func main() {}
