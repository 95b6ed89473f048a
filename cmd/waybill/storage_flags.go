package main

// storageFlags say where events and read models live: both embedded by default.
type storageFlags struct {
	Data             string `group:"storage" placeholder:"DIR" help:"Directory of the embedded event store and Postgres. Default: ./waybill-data; as root, where Postgres cannot get in there, /var/lib/waybill."`
	Eventstore       string `group:"storage" placeholder:"esdb://…" help:"Use this EventStoreDB (24.10.5 or later) instead of the embedded one."`
	Postgres         string `group:"storage" placeholder:"postgres://…" help:"Use this PostgreSQL (15 or later) instead of a private one."`
	PostgresBinaries string `group:"storage" placeholder:"DIR" help:"Directory of the programs postgres and initdb. Default: found, or fetched."`
	PostgresPort     int    `group:"storage" placeholder:"PORT" help:"Port of the private Postgres on 127.0.0.1. Default: a free one."`
}

// Where data goes when no directory is named.
const (
	dataHere   = "waybill-data"
	dataOfRoot = "/var/lib/waybill"
)

// database is the name of the database in the private Postgres.
const database = "waybill"
