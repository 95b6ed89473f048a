package store

// Store is a connection to one EventStoreDB, single node or cluster. It is safe
// for concurrent use. Make one with [Open].
type Store struct {
	cfg Config
}
