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
	"slices"
	"syscall"

	"github.com/alecthomas/kong"

	"waybill/aggregates/command"
)

func main() {
	m := Main{Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	os.Exit(m.Run(context.Background()))
}

// Main is one run of the program.
type Main struct {
	Args           []string
	Stdin          io.Reader // nil = at its end
	Stdout, Stderr io.Writer

	// Settings is the directory in which sign-ins are kept. Defaults to waybill
	// in the user's directory for settings.
	Settings string

	// Serving is called, by the verbs that serve, once the server answers, with
	// its URL. May be nil.
	Serving func(url string)

	// Imported is called with what became of each delivery of an import, one at
	// a time. May be nil.
	Imported func(command.Outcome)

	pace pace // the zero value is what suits everybody but tests
}

// Run parses, builds, runs, and returns the exit code. It ends early and in order
// when ctx does, or on SIGINT or SIGTERM; a second signal ends the process at
// once.
func (m *Main) Run(ctx context.Context) int {
	all, err := declared(m.Args...)
	if err != nil {
		return m.fail(err)
	}
	c := cli{Plugins: all.plugins(m.Args, "organisation")}
	if slices.Contains(m.Args, "organisation") {
		c.Organisation.Plugins = all.within("organisation")
	}
	exited := -1 // what kong wants to leave with after --help
	parser, err := kong.New(&c,
		kong.Name("waybill"),
		kong.Description("Multi-tenant delivery management: deliveries go in, each client sees its own and nothing else."),
		kong.DefaultEnvars("WAYBILL"),
		kong.Writers(m.Stdout, m.Stderr),
		kong.Exit(func(code int) { exited = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: 110}),
		kong.ExplicitGroups(groups()),
		all.explained(m.Args),
	)
	if err != nil {
		return m.fail(err)
	}
	parsed, err := parser.Parse(m.Args)
	if exited >= 0 {
		return exited
	}
	if err != nil {
		return m.fail(misused(all, err))
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer context.AfterFunc(ctx, func() {
		stop() // from now on a second signal has its usual effect
		fmt.Fprintf(m.Stderr, "waybill: %v: ending in order\n", context.Cause(ctx))
	})()
	if v, ok := all.find(typed(parsed.Selected())); ok && !own(v) {
		err = m.askServer(ctx, all, v, parsed.Selected().Target)
	} else {
		parsed.BindTo(ctx, (*context.Context)(nil))
		err = parsed.Run(m, all)
	}
	if err != nil {
		return m.fail(err)
	}
	return exitOK
}
