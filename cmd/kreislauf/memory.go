package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// releaseProgram lets go of the pages of the program file that only the start needed: the initialisation of the packages of
// the whole platform maps some 24 MB, of which one command goes on using about half. What is needed again comes back from the
// page cache. Only mappings are touched that cannot be written to and of which no page differs from the file.
func releaseProgram() error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find program file: %w", err)
	}
	data, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return fmt.Errorf("read memory map: %w", err)
	}
	var start, end uintptr // of the mapping whose lines follow; 0 when it is none of the program
	for s := bufio.NewScanner(bytes.NewReader(data)); s.Scan(); {
		fields := strings.Fields(s.Text())
		switch {
		case len(fields) >= 5 && strings.Contains(fields[0], "-"):
			start, end = 0, 0
			if !strings.HasSuffix(s.Text(), " "+program) || fields[1][1] == 'w' {
				continue
			}
			if _, err := fmt.Sscanf(fields[0], "%x-%x", &start, &end); err != nil {
				return fmt.Errorf("read memory map: %w", err)
			}
		case start != 0 && len(fields) == 3 && fields[0] == "Anonymous:" && fields[1] == "0":
			if _, _, errno := unix.Syscall(unix.SYS_MADVISE, start, end-start, unix.MADV_DONTNEED); errno != 0 {
				return fmt.Errorf("release pages of the program file: %w", errno)
			}
		}
	}
	return nil
}
