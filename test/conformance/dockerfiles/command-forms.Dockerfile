FROM busybox
CMD ["one", "two"]
ENTRYPOINT ["entry"]
