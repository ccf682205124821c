// Package cli is the commands of flyball as functions: [Main] runs one and
// returns its exit status. Each command is a file of its name.
//
// A command reads its flags, puts the rooms below together, and says what
// came of it. What it knows about Zendesk it has from them.
package cli
