package command_test

import (
	"os"
	"testing"

	"waybill/aggregates/aggregatetest"
)

// eventstore is the address of the node that the package's tests share.
var eventstore string

func TestMain(m *testing.M) { os.Exit(aggregatetest.Main(m, &eventstore)) }
