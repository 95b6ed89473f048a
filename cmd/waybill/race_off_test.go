//go:build !race

package main

// memoryOfTests is how many times its usual memory a process under test may take.
const memoryOfTests = 1
