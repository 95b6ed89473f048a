package access

import (
	"context"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5/pgxpool"
)

// SecretClaims names the secret that the streams of claims are keyed with. It
// must never change: a claim under another secret is another claim.
const SecretClaims = "claims"

// secretSize is the size of a secret in bytes.
const secretSize = 32

// Secret returns the installation's secret of a name, made of random at the
// first call of whichever process comes first. pool connects as the role
// waybill_identity.
func Secret(ctx context.Context, pool *pgxpool.Pool, random io.Reader, name string) ([]byte, error) {
	fresh := make([]byte, secretSize)
	if _, err := io.ReadFull(random, fresh); err != nil {
		return nil, fmt.Errorf("make secret %s: %w", name, err)
	}
	const insert = `INSERT INTO identity.secrets (name, secret) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`
	if _, err := pool.Exec(ctx, insert, name, fresh); err != nil {
		return nil, Storage(fmt.Errorf("make secret %s: %w", name, err))
	}
	var secret []byte
	if err := pool.QueryRow(ctx, `SELECT secret FROM identity.secrets WHERE name = $1`, name).Scan(&secret); err != nil {
		return nil, Storage(fmt.Errorf("read secret %s: %w", name, err))
	}
	if len(secret) != secretSize {
		return nil, fmt.Errorf("secret %s has %d bytes, want %d", name, len(secret), secretSize)
	}
	return secret, nil
}
