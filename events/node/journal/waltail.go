package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2/record"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// When a write-ahead log ends in something unreadable, the engine takes that for a write that the crash cut short, unless
// a later block of 32 KiB proves that it had been synced. Within the last block it does not look. checkLogTail does: each
// chunk of the log says how far the log was synced when it was written, so one valid chunk behind the unreadable place
// that says "synced beyond here" proves damage. What cannot be told from a cut-off write is damage to the last one or two
// groups of appends before a crash.

// The layout of a chunk: checksum, length, type, number of the log, synced offset, payload.
const (
	chunkHeader    = 4 + 2 + 1 + 4 + 8
	chunkFirstType = 9
	chunkLastType  = 12
	chunkBlock     = 32 << 10
)

// checkLogTail looks at the newest log in dir.
func checkLogTail(fs vfs.FS, dir string, names []string) error {
	newest, number := "", uint64(0)
	for _, name := range names {
		digits, ok := strings.CutSuffix(name, ".log")
		if n, err := strconv.ParseUint(digits, 10, 32); ok && err == nil && n >= number {
			newest, number = name, n
		}
	}
	if newest == "" {
		return damaged("the write-ahead log is missing from %s; restore it from a backup", dir)
	}
	content, err := readFile(fs, fs.PathJoin(dir, newest))
	if err != nil {
		return fmt.Errorf("read %s: %w", newest, err)
	}
	end := readableEnd(content, number)
	for at := end; at+chunkHeader <= len(content); at++ {
		if synced, ok := chunkAt(content, at, uint32(number)); ok && synced > uint64(end) {
			return damaged("%s cannot be read at offset %d; restore it from a backup", newest, end)
		}
	}
	return nil
}

// readableEnd is the offset behind the last record that can be read.
func readableEnd(content []byte, number uint64) int {
	r := newLogReader(record.NewReader, content, number)
	end := int64(0)
	for {
		next, err := r.Next()
		if err == nil {
			_, err = io.Copy(io.Discard, next)
		}
		if err != nil {
			return int(min(end, int64(len(content))))
		}
		end = r.Offset()
	}
}

// newLogReader calls the engine's constructor, whose type for the number of a log has no public name.
func newLogReader[N ~uint64](construct func(io.Reader, N) *record.Reader, content []byte, number uint64) *record.Reader {
	return construct(bytes.NewReader(content), N(number))
}

// chunkAt tells whether there is a chunk of this log, and how far the log was synced when it was written.
func chunkAt(content []byte, at int, number uint32) (synced uint64, ok bool) {
	kind := content[at+6]
	if kind < chunkFirstType || kind > chunkLastType || binary.LittleEndian.Uint32(content[at+7:]) != number {
		return 0, false
	}
	end := at + chunkHeader + int(binary.LittleEndian.Uint16(content[at+4:]))
	if end > len(content) || at/chunkBlock != (end-1)/chunkBlock {
		return 0, false
	}
	sum := crc32.Checksum(content[at+6:end], castagnoli)
	if binary.LittleEndian.Uint32(content[at:]) != (sum>>15|sum<<17)+0xa282ead8 {
		return 0, false
	}
	return binary.LittleEndian.Uint64(content[at+11:]), true
}

func readFile(fs vfs.FS, name string) ([]byte, error) {
	f, err := fs.Open(name)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(f)
	return content, errors.Join(err, f.Close())
}
