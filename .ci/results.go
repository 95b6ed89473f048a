// Command results reads what `go test -json` writes, shows the packages and the
// output of what failed, and ends with exit code 1 when anything failed or was
// skipped: a skipped test checks nothing.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// allowed are the tests that may be skipped: those that Watermill's conformance
// suite skips by the features that our publisher and subscriber declare. A name
// stands for itself and its subtests, which the suite names at random.
var allowed = []string{
	// Declared: no consumer groups.
	suite + "TestPublisherAndSubscriberPassWatermillsSuite/TestConsumerGroups",
	// Declared: a group keeps how far it is, so who comes new to it gets nothing old.
	suite + "TestAGroupPassesWatermillsSuite/TestNewSubscriberReceivesOldMessages",
	suite + "TestAGroupPassesWatermillsSuiteWithEveryMessageCounted/TestNewSubscriberReceivesOldMessages",
	// Declared: every message is counted, which these two do not bear.
	suite + "TestAGroupPassesWatermillsSuiteWithEveryMessageCounted/TestConcurrentClose",
	suite + "TestAGroupPassesWatermillsSuiteWithEveryMessageCounted/TestContinueAfterSubscribeClose",
}

// allowedInRace are those that may be skipped under the race detector besides
// (-race): there no command is declared that restarts the store, because the
// suite's test of restarts has a data race in itself.
var allowedInRace = []string{
	suite + "TestPublisherAndSubscriberPassWatermillsSuite/TestReconnect",
	suite + "TestAGroupPassesWatermillsSuite/TestReconnect",
	suite + "TestAGroupPassesWatermillsSuiteWithEveryMessageCounted/TestReconnect",
}

const suite = "waybill/events/consume "

func isAllowed(name string) bool {
	return slices.ContainsFunc(allowed, func(a string) bool { return name == a || strings.HasPrefix(name, a+"/") })
}

type line struct {
	Action, Package, Test, Output string
	Elapsed                       float64
}

func main() {
	race := flag.Bool("race", false, "the tests ran with the race detector")
	flag.Parse()
	if *race {
		allowed = append(allowed, allowedInRace...)
	}
	output := map[string][]string{}
	var failed, skipped []string
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		text, err := in.ReadBytes('\n')
		if len(text) > 0 {
			var l line
			if json.Unmarshal(text, &l) != nil {
				fmt.Print(string(text)) // of the build, or of a tool
			} else {
				failed, skipped = take(l, output, failed, skipped)
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	if len(skipped) > 0 {
		fmt.Printf("skipped, and nobody may:\n  %s\n", strings.Join(skipped, "\n  "))
	}
	if len(failed) > 0 {
		fmt.Printf("failed:\n  %s\n", strings.Join(failed, "\n  "))
	}
	if len(failed)+len(skipped) > 0 {
		os.Exit(1)
	}
}

func take(l line, output map[string][]string, failed, skipped []string) ([]string, []string) {
	name := l.Package
	if l.Test != "" {
		name += " " + l.Test
	}
	switch l.Action {
	case "output", "build-output":
		output[name] = append(output[name], l.Output)
		if l.Action == "build-output" {
			fmt.Print(l.Output)
		}
	case "fail", "build-fail":
		failed = append(failed, name)
		fmt.Print(strings.Join(output[name], ""))
		delete(output, name)
	case "pass":
		delete(output, name)
		if l.Test == "" {
			fmt.Printf("ok   %-50s %6.1f s\n", l.Package, l.Elapsed)
		}
	case "skip":
		if l.Test != "" && !isAllowed(name) {
			skipped = append(skipped, name)
			fmt.Print(strings.Join(output[name], ""))
		}
	}
	return failed, skipped
}
