package storetest

import (
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// Main is what a package's TestMain calls, and nothing else. It does the work of
// the processes that [StartProcess] and [Process.RestartCommand] start, runs the
// tests, and fails when goroutines outlive them, other than those to be ignored.
func Main(m *testing.M, ignore ...goleak.Option) {
	runProcess()
	status := m.Run()
	if status == 0 {
		if err := leftovers(ignore); err != nil {
			fmt.Fprintln(os.Stderr, err)
			status = 1
		}
	}
	os.Exit(status)
}

// leftovers waits for the goroutines that are about to end, and says which do
// not.
func leftovers(ignore []goleak.Option) error {
	for began := time.Now(); ; {
		err := goleak.Find(ignore...)
		if err == nil || time.Since(began) > Patience {
			return err
		}
	}
}
