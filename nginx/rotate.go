package nginx

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// MaxLog is the size in bytes at which the access log of a bare machine is rotated.
const MaxLog = 256 << 20

// Rotate renames a log that has grown beyond limit to <path>.1, replacing an older one, and asks the master process to open a new
// file. It keeps two files at most. Workers finish the lines they are at in the renamed file; the shipper follows it there.
func Rotate(path string, limit int64, master int) error {
	st, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("rotate access log: %w", err)
	}
	if st.Size() < limit || master <= 0 {
		return nil
	}
	if err := os.Rename(path, path+".1"); err != nil {
		return fmt.Errorf("rotate access log: %w", err)
	}
	if err := syscall.Kill(master, syscall.SIGUSR1); err != nil {
		return fmt.Errorf("rotate access log: tell nginx: %w", err)
	}
	return nil
}
