package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/term"

	"waybill/cmd/waybill/remote"
)

// secret reads a secret from a file, or asks whoever sits at the terminal for it.
// twice asks again, for what is chosen and cannot be looked up.
func (m *Main) secret(ctx context.Context, name, file string, twice bool) (string, error) {
	if file != "" {
		return remote.ReadLine("--"+name+"-file", file, m.stdin())
	}
	terminal, ok := m.Stdin.(*os.File)
	if !ok || !term.IsTerminal(int(terminal.Fd())) {
		return "", &usageError{fmt.Errorf("there is no terminal to ask for the %s: give it with --%s-file, where - is standard input", name, name)}
	}
	text, err := m.ask(ctx, terminal, name+": ")
	if err != nil || !twice {
		return text, err
	}
	again, err := m.ask(ctx, terminal, "again, the same "+name+": ")
	if err == nil && again != text {
		err = &usageError{errors.New("these were two different ones")}
	}
	return text, err
}

// ask reads a line that is not shown. When ctx ends, the terminal is left as it
// was found.
func (m *Main) ask(ctx context.Context, terminal *os.File, prompt string) (string, error) {
	fd := int(terminal.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("terminal: %w", err)
	}
	fmt.Fprint(m.Stderr, prompt)
	type line struct {
		text []byte
		err  error
	}
	read := make(chan line, 1)
	go func() {
		text, err := term.ReadPassword(fd)
		read <- line{text, err}
	}()
	select {
	case l := <-read:
		fmt.Fprintln(m.Stderr)
		if l.err != nil {
			return "", fmt.Errorf("terminal: %w", l.err)
		}
		return string(l.text), nil
	case <-ctx.Done():
		// The goroutine waits for a line until the process ends, which is now.
		return "", errors.Join(&remote.InterruptedError{}, term.Restore(fd, before))
	}
}
