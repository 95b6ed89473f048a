package main

import (
	"io"
	"log/slog"

	"github.com/alecthomas/kong"
)

// cli is the grammar of the command line. Every flag can also be given as an
// environment variable: WAYBILL_ and the flag's name.
type cli struct {
	Serve        serveCmd        `cmd:"" help:"Run the server."`
	Demo         demoCmd         `cmd:"" help:"Run the server with an organisation made from a delivery file, and show who sees what."`
	Import       importCmd       `cmd:"" help:"Import a delivery file (csv, tsv, xlsx)."`
	Organisation organisationCmd `cmd:"" help:"Make an organisation."`
	SignInLink   signInLinkCmd   `cmd:"" name:"sign-in-link" help:"Make a one-time link with which a user sets a password."`
	Migrate      migrateCmd      `cmd:"" help:"Bring the database's schema to this version."`
	Rebuild      rebuildCmd      `cmd:"" help:"Build the read models anew from the event log."`
	Eventstore   eventstoreCmd   `cmd:"" help:"Run the embedded event store alone, verify it, back it up."`
	Permissions  permissionsCmd  `cmd:"" help:"Print which role may use which command."`
	Version      versionCmd      `cmd:"" help:"Tell the version."`
}

// Titles of the groups of flags in --help.
func groups() []kong.Group {
	return []kong.Group{
		{Key: "storage", Title: "Storage"},
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
