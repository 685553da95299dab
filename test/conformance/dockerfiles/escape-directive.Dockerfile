# escape=`
FROM busybox
RUN echo one `
    two > /out
ENV A=c:\dir
