//go:build race

package main

// memoryOfTests is how many times its usual memory a process under test may take:
// the race detector keeps a shadow of it.
const memoryOfTests = 3
