/// The version of this build: major.minor.patch, written into every recording it makes.
let toolVersion = "0.1.0"
