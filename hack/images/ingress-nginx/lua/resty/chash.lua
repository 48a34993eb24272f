return require("resty.absent")("resty.chash")
