package command_test

import (
	"flag"
	"os"
	"testing"

	"waybill/aggregates/aggregatetest"
)

// eventstore is the address of the node that the package's tests share.
var eventstore string

func TestMain(m *testing.M) {
	// Every step of a random test is several durable appends.
	if err := flag.Set("rapid.checks", "30"); err != nil {
		panic(err)
	}
	flag.Parse() // what the command line says wins
	os.Exit(aggregatetest.Main(m, &eventstore))
}
