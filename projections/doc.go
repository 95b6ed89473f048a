// Package projections is where events become Postgres read models: the schema
// and its migrations, the roles and pools through which the program reaches it,
// and the unit of work that makes rows and checkpoint durable together, fenced
// against a second owner.
//
// It implements the contract of waybill/events/consume ([Log], [Unit]) on
// Postgres. What events mean to the tables is in the sub-package readmodel; the
// private Postgres server is in postgres. It decides nothing, and imports
// neither the write side nor the query API: they meet in the tables.
package projections
