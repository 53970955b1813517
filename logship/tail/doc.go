// Package tail reads growing files line by line and knows which file is which.
//
// It owns the identity of a file (device, inode and how its content begins), the reading position, the position
// up to which everything is acknowledged, and the recognition of a file whose content was replaced underneath.
//
// Invariants: a line is handed out only with its line feed, or when the caller asks for the rest of a file that
// nobody writes any more; the acknowledged position never passes a line that is not final; bytes are handed out
// only after the beginning of the file was checked again, so a chunk never mixes two contents. All positions are
// byte offsets.
//
// Not guaranteed: lines that a writer truncates away before they are read. FindCopy gets them back when a copy
// (logrotate's copytruncate) lies in the same folder.
package tail
