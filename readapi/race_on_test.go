//go:build race

package readapi_test

// unhurried says whether there is time for every way of every attacker: with the
// race detector each takes many times as long, and what it looks for is met in
// fewer of them.
const unhurried = false
