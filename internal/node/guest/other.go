//go:build !linux

// Command guest runs in containers, which need Linux.
package main

func main() {}
