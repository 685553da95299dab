FROM busybox
RUN ["/bin/sh", "-c", "echo \"$0 $1\" > /out", "zero", "one"]
RUN ["touch", "/a file"]
