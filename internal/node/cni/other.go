//go:build !linux

// Command cni is a CNI plugin, which needs Linux.
package main

func main() {}
