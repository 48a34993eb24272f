return require("resty.absent")("resty.cookie")
