package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json"

	"waybill/cmd/waybill/remote"
	"waybill/cmd/waybill/verb"
)

// elsewhere has a server do what a command does with the data directory otherwise.
// The answer is read into out, and returned as it came.
func (f elsewhereFlags) elsewhere(ctx context.Context, m *Main, v verb.Verb, given verb.Given, prepare func(*remote.Request), out any) ([]byte, error) {
	request, err := v.Request(given)
	if err != nil {
		return nil, err
	}
	if prepare != nil {
		prepare(&request)
	}
	client, err := f.client(m, f.Server, request.Header.Get(setupHeader) != "")
	if err != nil {
		return nil, err
	}
	defer client.Close()
	answer, err := client.Do(ctx, request)
	if err != nil {
		return nil, explain(v, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if json.Unmarshal(text, out) != nil {
		return nil, errors.New("the server's answer cannot be read: is it of another version?")
	}
	return text, nil
}

// setupHeader carries the token of whoever runs the installation.
const setupHeader = "Waybill-Setup-Token"
