package access

import (
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// passwordHash is an encoded hash taken apart. Old hashes keep the cost that
// they were made with.
type passwordHash struct {
	memory, passes uint32
	lanes          uint8
	salt, key      []byte
}

// parseHash reads $argon2id$v=19$m=..,t=..,p=..$salt$key.
func parseHash(encoded string) (passwordHash, error) {
	var p passwordHash
	parts := strings.Split(encoded, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return p, errHash
	}
	var version int
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return p, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.passes, &p.lanes); err != nil {
		return p, errHash
	}
	var err error
	if p.salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return p, errHash
	}
	if p.key, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil {
		return p, errHash
	}
	if p.memory == 0 || p.passes == 0 || p.lanes == 0 || len(p.salt) < 8 || len(p.key) < 16 {
		return p, errHash
	}
	return p, nil
}
