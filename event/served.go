package event

import (
	"net/http"
	"time"

	"github.com/flyballhq/flyball/limit"
)

// A Served is one call as its client saw it, told when the last byte of the
// answer has been handed over, or could not be. Request and Header are read
// only, and only while it is told.
type Served struct {
	Request *http.Request // as it came, credential and all
	Client  string        // who called, as it is named in figures
	Status  int           // what the client was answered; 499 when it had left before
	Header  http.Header   // of the answer
	Bytes   int64         // of the answer's body, as far as it was handed over
	Began   time.Time
	Took    time.Duration
	Cut     bool // the answer was not handed over whole
	// Refused is why the gateway answered itself, such as "wait-too-long" or
	// "FlyballBodyTooLarge"; "" when the account did.
	Refused string
	// Receipt is what the call cost; of a call that was turned away at the door
	// it is empty.
	Receipt limit.Receipt
}
