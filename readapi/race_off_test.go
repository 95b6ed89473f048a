//go:build !race

package readapi_test

// unhurried says whether there is time for every way of every attacker.
const unhurried = true
