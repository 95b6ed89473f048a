// Package aggregatetest holds what the tests of the write side share: tables of
// given, when, then for deciders, and a real event store per test package.
package aggregatetest
