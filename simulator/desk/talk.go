package desk

// listCalls and queueActivity are Talk's, with fixed small answers: what
// matters about Talk here is its counting, which is the simulator's.
func listCalls(c *call) answer {
	return ok([]byte(`{"calls":[],"next_page":null,"previous_page":null,"count":0}`))
}

func queueActivity(c *call) answer {
	return ok([]byte(`{"current_queue_activity":{"agents_online":2,"average_wait_time":0,"callbacks_waiting":0,"calls_waiting":0,"embeddable_callbacks_waiting":0,"longest_wait_time":0}}`))
}
