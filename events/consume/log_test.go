package consume_test

import (
	"testing"

	"waybill/events/consume"
	"waybill/events/consume/consumetest"
)

func TestTheLogOfTheseTestsKeepsTheContract(t *testing.T) {
	consumetest.Log(t, func(*testing.T) consume.Log { return newMemoryLog() },
		func(_ *testing.T, log consume.Log) consume.Log { return log })
}
