package projections_test

import (
	"testing"

	"github.com/google/uuid"

	"waybill/events/consume"
	"waybill/events/consume/consumetest"
)

func TestTheLogInPostgresKeepsTheContractOfConsumers(t *testing.T) {
	t.Parallel()
	pools, name := open(t), ""
	consumetest.Log(t, func(t *testing.T) consume.Log {
		name = "contract-" + uuid.NewString()
		return newLog(t, pools, name)
	}, func(t *testing.T, _ consume.Log) consume.Log { return newLog(t, pools, name) })
}
