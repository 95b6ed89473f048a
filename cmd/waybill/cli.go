package main

import (
	"io"
	"log/slog"

	"github.com/alecthomas/kong"
)

// cli is the grammar of the command line. Every flag can also be given as an
// environment variable: WAYBILL_ and the flag's name.
type cli struct {
	Serve        serveCmd        `cmd:"" group:"run" help:"Run the server."`
	Demo         demoCmd         `cmd:"" group:"run" help:"Run the server with an organisation made from a delivery file, and show who sees what."`
	Import       importCmd       `cmd:"" group:"run" help:"Import a delivery file (csv, tsv, xlsx)."`
	SignInLink   signInLinkCmd   `cmd:"" group:"run" name:"sign-in-link" help:"Make a one-time link with which a user sets a password."`
	Mail         mailCmd         `cmd:"" group:"run" help:"List mails and what became of them, print one, send a failed one again."`
	Status       statusCmd       `cmd:"" group:"run" help:"Tell which servers run on the data, and how those who follow the event log stand."`
	Consumer     consumerCmd     `cmd:"" group:"run" help:"Pause and resume those who follow the event log."`
	Migrate      migrateCmd      `cmd:"" group:"run" help:"Bring the database's schema to this version."`
	Rebuild      rebuildCmd      `cmd:"" group:"run" help:"Build the read models anew from the event log."`
	Eventstore   eventstoreCmd   `cmd:"" group:"run" help:"Run the embedded event store alone, verify it, back it up."`
	Permissions  permissionsCmd  `cmd:"" group:"run" help:"Print which role may use which command."`
	Version      versionCmd      `cmd:"" group:"run" help:"Tell the version."`
	Login        loginCmd        `cmd:"" group:"ask" help:"Sign in at a server, for the verbs below."`
	Logout       logoutCmd       `cmd:"" group:"ask" help:"Sign out."`
	Organisation organisationCmd `cmd:"" group:"ask" help:"Organisations: make one, see and set what holds for all of yours."`

	kong.Plugins // the nouns that a server knows
}

// Titles of the groups of flags in --help.
func groups() []kong.Group {
	return []kong.Group{
		{Key: "run", Title: "Run it:"},
		{Key: "ask", Title: "Ask a server (waybill NOUN --help tells the verbs):"},
		{Key: "verbs", Title: "Verbs:"},
		{Key: "server", Title: "The server, and who asks it:"},
		{Key: "answer", Title: "The answer:"},
		{Key: "request", Title: "The request:"},
		{Key: "said", Title: "What is kept with it:"},
		{Key: "storage", Title: "Storage"},
		{Key: "mail", Title: "Mail"},
		{Key: "log", Title: "Logging"},
		{Key: "file", Title: "Reading the file"},
	}
}

// logFlags say what is logged; the log goes to standard error.
type logFlags struct {
	LogLevel  slog.Level `default:"warn" group:"log" help:"Log from this level: debug, info, warn or error."`
	LogFormat string     `default:"text" enum:"text,json" group:"log" help:"Log as text or json."`
}

func (f logFlags) logger(w io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: f.LogLevel}
	if f.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
