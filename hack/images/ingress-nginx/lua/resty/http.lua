return require("resty.absent")("resty.http")
