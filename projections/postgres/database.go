package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// ping makes sure that the server lets us in.
func (s *Server) ping(ctx context.Context) error {
	return s.maintain(ctx, func(conn *pgx.Conn) error { return conn.Ping(ctx) })
}

// EnsureDatabase makes an empty database of that name unless there is one.
func (s *Server) EnsureDatabase(ctx context.Context, name string) error {
	return s.maintain(ctx, func(conn *pgx.Conn) error {
		var exists bool
		err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, name).Scan(&exists)
		if err != nil || exists {
			return err
		}
		if _, err := conn.Exec(ctx, `CREATE DATABASE `+pgx.Identifier{name}.Sanitize()); err != nil {
			return fmt.Errorf("create database %s: %w", name, err)
		}
		return nil
	})
}

// maintain runs f on a connection to the maintenance database.
func (s *Server) maintain(ctx context.Context, f func(*pgx.Conn) error) (err error) {
	conn, err := pgx.Connect(ctx, s.URL(""))
	if err != nil {
		return fmt.Errorf("connect to postgres on port %d: %w", s.port, err)
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	return f(conn)
}
