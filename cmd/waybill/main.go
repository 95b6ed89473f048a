// Command waybill is the one binary: it runs the server with its event store and
// database, alone or against external ones, and the tools around it.
//
// It is the only place that knows every other package: it reads flags, builds the
// parts, runs them, and turns errors into one line and an exit code. It decides
// nothing about deliveries.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"waybill/aggregates/command"
)

func main() {
	m := Main{Args: os.Args[1:], Stdout: os.Stdout, Stderr: os.Stderr}
	os.Exit(m.Run(context.Background()))
}

// Main is one run of the program.
type Main struct {
	Args           []string
	Stdout, Stderr io.Writer

	// Serving is called, by the verbs that serve, once the server answers, with
	// its URL. May be nil.
	Serving func(url string)

	// Imported is called with what became of each delivery of an import, one at
	// a time. May be nil.
	Imported func(command.Outcome)
}

// Run parses, builds, runs, and returns the exit code. It ends early and in order
// when ctx does, or on SIGINT or SIGTERM; a second signal ends the process at
// once.
func (m *Main) Run(ctx context.Context) int {
	var c cli
	exited := -1 // what kong wants to leave with after --help
	parser, err := kong.New(&c,
		kong.Name("waybill"),
		kong.Description("Multi-tenant delivery management: deliveries go in, each client sees its own and nothing else."),
		kong.DefaultEnvars("WAYBILL"),
		kong.Writers(m.Stdout, m.Stderr),
		kong.Exit(func(code int) { exited = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
		kong.ExplicitGroups(groups()),
	)
	if err != nil {
		return m.fail(err)
	}
	verb, err := parser.Parse(m.Args)
	if exited >= 0 {
		return exited
	}
	if err != nil {
		return m.fail(&usageError{err})
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer context.AfterFunc(ctx, func() {
		stop() // from now on a second signal has its usual effect
		fmt.Fprintf(m.Stderr, "waybill: %v: ending in order\n", context.Cause(ctx))
	})()
	verb.BindTo(ctx, (*context.Context)(nil))
	if err := verb.Run(m); err != nil {
		return m.fail(err)
	}
	return exitOK
}
