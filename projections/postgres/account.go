package postgres

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// account is the operating system user that the server runs as.
type account struct {
	name     string
	uid, gid uint32
	drop     bool // we are root, and processes must become this user
}

// chooseAccount picks who runs the server of a data directory. PostgreSQL
// refuses to run as root, so root uses the owner of existing data, or else the
// user made for databases, or else the user without rights. Anybody else runs
// it as himself.
func chooseAccount(data string) (account, error) {
	owner, exists, err := ownerOf(data)
	if err != nil {
		return account{}, err
	}
	if euid := os.Geteuid(); euid != 0 {
		self := account{name: userName(uint32(euid)), uid: uint32(euid), gid: uint32(os.Getegid())}
		if exists && owner.uid != self.uid {
			return account{}, fmt.Errorf("%s belongs to user %s, and this process runs as %s: run it as %s or as root, or choose another directory",
				data, owner.name, self.name, owner.name)
		}
		return self, nil
	}
	if exists {
		if owner.uid == 0 {
			return account{}, fmt.Errorf("%s belongs to root, as whom PostgreSQL refuses to run: give it away (chown -R postgres %s)", data, data)
		}
		owner.drop = true
		return owner, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := lookUpAccount(name)
		if err == nil {
			return found, nil
		}
	}
	return account{}, errors.New("PostgreSQL refuses to run as root, and there is neither a user postgres nor a user nobody to run it as: make one (useradd --system postgres)")
}

func lookUpAccount(name string) (account, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return account{}, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return account{}, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return account{}, err
	}
	return account{name: name, uid: uint32(uid), gid: uint32(gid), drop: true}, nil
}

// ownerOf tells who owns a path, and whether it exists.
func ownerOf(path string) (account, bool, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return account{}, false, nil
	}
	if err != nil {
		return account{}, false, err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return account{}, false, fmt.Errorf("cannot tell the owner of %s on this system", path)
	}
	return account{name: userName(stat.Uid), uid: stat.Uid, gid: stat.Gid}, true, nil
}

func userName(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return id
}

// own gives a path to the account; it does nothing when we are that account.
func (a account) own(path string) error {
	if !a.drop {
		return nil
	}
	return os.Lchown(path, int(a.uid), int(a.gid))
}

// attributes makes a process a session of its own, so that Ctrl-C on our
// terminal does not reach it, run by the account.
func (a account) attributes() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setsid: true}
	if a.drop {
		attr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid}
	}
	return attr
}
