// Package group decides about groups: the segregation keys of an organisation,
// and the reserved ALL group that carries the organisation itself.
//
// It is pure: no clock, no I/O, no ids made inside. Who may do it is decided
// around it.
package group
