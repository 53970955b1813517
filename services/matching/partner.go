package matching

import "kreislauf/internal/network"

// Partner is what matching knows of a disposal partner.
type Partner = network.Partner

// Job is what a partner is asked to do.
type Job = network.Job
