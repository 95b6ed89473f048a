// Command results reads what `go test -json` writes, shows the packages and the
// output of what failed, and ends with exit code 1 when anything failed or was
// skipped: a skipped test checks nothing.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// allowed are the tests that may be skipped, as package and test: those that a
// conformance suite of somebody else skips by the features we declare.
var allowed = []string{}

type line struct {
	Action, Package, Test, Output string
	Elapsed                       float64
}

func main() {
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
		if l.Test != "" && !slices.Contains(allowed, name) {
			skipped = append(skipped, name)
			fmt.Print(strings.Join(output[name], ""))
		}
	}
	return failed, skipped
}
