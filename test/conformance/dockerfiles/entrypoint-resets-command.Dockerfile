FROM busybox AS base
CMD ["kept", "by", "base"]
FROM base
ENTRYPOINT exec top -b
