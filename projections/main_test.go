package projections_test

import (
	"os"
	"testing"

	"waybill/projections/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
